module codehub.local/zxcvbn_esc

go 1.25
