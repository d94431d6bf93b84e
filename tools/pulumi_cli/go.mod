module codehub.local/pulumi-cli

go 1.25.11

require github.com/pulumi/pulumi/pkg/v3 v3.256.0

replace (
	github.com/ccojocar/zxcvbn-go => ./zxcvbn_esc
	github.com/mattn/go-runewidth => github.com/mattn/go-runewidth v0.0.16
	github.com/nbutton23/zxcvbn-go => ./zxcvbn_config
	go.uber.org/automaxprocs => ./held
)
