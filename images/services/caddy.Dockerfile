# Engine proxy and TLS edge: one static program, and the authorities that ACME is asked by.
FROM scratch
COPY caddy /usr/bin/caddy
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# A new volume takes its owner from here.
COPY --chown=992:992 data /data
ENTRYPOINT ["/usr/bin/caddy"]
