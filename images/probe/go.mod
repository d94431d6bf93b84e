module codehub.local/probe

go 1.25.11
