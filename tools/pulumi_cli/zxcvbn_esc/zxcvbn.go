// Package zxcvbn stands in for a module that fills dictionaries whenever the CLI starts, two fifths of that start's CPU.
// The CLI asks it in `config set` and `env set` only, whether a plain value looks like a secret.
package zxcvbn

// Match has what the CLI reads of an answer.
type Match struct {
	// Entropy is an estimate in bits.
	Entropy float64
}

// PasswordStrength takes each byte for four bits, which warns rather too often.
func PasswordStrength(password string, _ []string) Match {
	return Match{Entropy: 4 * float64(len(password))}
}
