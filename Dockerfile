# An image that holds one program and an empty folder.
#
#   docker build -t assay .
#   docker run --read-only -v assay:/data -p 127.0.0.1:8080:8080 \
#       -e ASSAY_PUBLIC_READ=true assay
#
# Inside, every address is one beyond loopback, so the server starts only with
# a token (`docker run -v assay:/data assay token create --scope read`) or with
# public_read, as anywhere else. Names under which it is reached, other than
# localhost, are told it by ASSAY_SERVE_HOSTS.
#
# The certificate authorities are in the program; ASSAY_TLS_CA_FILE names a file
# (PEM, mounted) in their place. It needs no shell, no /etc, no /tmp and no root
# that can be written.

FROM debian:12 AS build
WORKDIR /src
COPY . .
RUN ./build.sh && mkdir /data

FROM scratch
COPY --from=build /src/build/assay /assay
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV ASSAY_DATA=/data ASSAY_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s \
    CMD ["/assay", "healthcheck"]
ENTRYPOINT ["/assay"]
CMD ["serve"]
