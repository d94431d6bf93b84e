module codehub.local/zxcvbn_config

go 1.25
