# Debian, Python and what both gateway and runner import. Its context is made by tools/services.py.
FROM scratch
ADD base.tar /
COPY packages /opt/codehub/packages
# Nothing is written at run time: the byte code is made now. Some packages carry files of other Pythons.
RUN printf '%s\n' /opt/codehub/packages /opt/codehub >/usr/lib/python3/dist-packages/codehub.pth \
    && { python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/codehub/packages || true; }
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
