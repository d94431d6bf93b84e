module codehub.local/compose

go 1.25.11

require github.com/docker/compose/v5 v5.0.1
