# The same with Pulumi: its packages for Python, its command and its plugin.
ARG BASE
FROM $BASE
COPY packages /opt/codehub/packages
COPY cache /opt/codehub/cache
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/codehub/packages || true
ENV CODEHUB_CACHE=/opt/codehub/cache
