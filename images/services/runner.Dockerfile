# Follows the folder of workspace files; the one that may ask the engine.
ARG BASE
FROM $BASE
COPY codehub /opt/codehub
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -x /packages/ /opt/codehub \
    && ln -s /opt/codehub/command /usr/local/bin/codehub
ENTRYPOINT ["codehub"]
CMD ["run"]
