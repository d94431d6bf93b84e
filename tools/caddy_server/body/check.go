package body

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// refusal says what of a body is wrong, and where; never the value, which may be a secret of somebody's.
type refusal struct {
	at  []string
	why string
}

func (r *refusal) Error() string {
	return strings.Join(append(slices.Clone(r.at), r.why), " ")
}

// check says whether a value is as it should be; nil when it is.
type check func(value any) *refusal

// when is the answer of a check that knows no more than yes and no.
func when(right bool) *refusal {
	if right {
		return nil
	}
	return &refusal{why: "is not as workspaces have it"}
}

// nothing is what Go's clients write for fields that nobody set, and what the engine reads as not there. Empty lists
// are not: `MaskedPaths: []` takes the masks away.
func nothing(value any) bool {
	return value == nil || value == false || value == "" || value == json.Number("0")
}

// fields is an object of which these names are known. All others may only say nothing; known ones may too, but for
// those that must be there.
func fields(known map[string]check, required ...string) check {
	return func(value any) *refusal {
		given, ok := value.(map[string]any)
		if !ok {
			return when(false)
		}
		for _, name := range required {
			if nothing(given[name]) {
				return &refusal{at: []string{name}, why: "is missing"}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if found := field(known[name], given[name]); found != nil {
				return &refusal{at: append([]string{name}, found.at...), why: found.why}
			}
		}
		return nil
	}
}

func field(known check, value any) *refusal {
	if nothing(value) {
		return nil
	}
	if known == nil {
		return when(false)
	}
	return known(value)
}

// unsaid is an object that names these things not at all, as `null`, or in full: what says nothing elsewhere says
// something there.
func unsaid(other check, names ...string) check {
	return func(value any) *refusal {
		given, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(given)) {
			listed := slices.ContainsFunc(names, func(one string) bool { return strings.EqualFold(one, name) })
			if listed && given[name] != nil && nothing(given[name]) {
				return &refusal{at: []string{name}, why: when(false).why}
			}
		}
		return other(value)
	}
}

func exactly(word string) check {
	return func(value any) *refusal { return when(value == word) }
}

func like(pattern *regexp.Regexp) check {
	return func(value any) *refusal {
		word, ok := value.(string)
		return when(ok && pattern.MatchString(word))
	}
}

func text(value any) *refusal {
	_, ok := value.(string)
	return when(ok)
}

func flag(value any) *refusal {
	_, ok := value.(bool)
	return when(ok)
}

// size is a positive whole number: -1 would take a limit away.
func size(value any) *refusal {
	number, ok := value.(json.Number)
	read, err := number.Int64()
	return when(ok && err == nil && read > 0)
}

// each is a list of any length.
func each(one check) check {
	return func(value any) *refusal {
		list, ok := value.([]any)
		return when(ok && !slices.ContainsFunc(list, func(item any) bool { return one(item) != nil }))
	}
}

// only is a list of this one word.
func only(word string) check {
	return func(value any) *refusal {
		list, ok := value.([]any)
		return when(ok && len(list) == 1 && list[0] == word)
	}
}

// texts is an object of texts by any name, such as labels.
func texts(value any) *refusal {
	given, ok := value.(map[string]any)
	for _, one := range given {
		ok = ok && text(one) == nil
	}
	return when(ok)
}

// unset is a list or an object in which nothing is set.
func unset(value any) *refusal {
	if list, ok := value.([]any); ok {
		return when(!slices.ContainsFunc(list, func(item any) bool { return !nothing(item) }))
	}
	return fields(nil)(value)
}

// either is what one of them lets through.
func either(checks ...check) check {
	return func(value any) *refusal {
		return when(slices.ContainsFunc(checks, func(one check) bool { return one(value) == nil }))
	}
}
