module codehub.local/held

go 1.25

require github.com/pulumi/pulumi/pkg/v3 v3.256.0
