module codehub.local/light

go 1.25.11
