# For those who have a container engine. `make image` writes the same image without one.
#
# The binary is static, so the last stage needs no libraries: certificates for metric providers, and the program.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /siskin
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY src src
# With a target given, the flag does not reach build scripts and macros, which must stay dynamic.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/siskin/target \
    target=$(rustc --print host-tuple) \
    && RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release --bin siskin --target "$target" \
    && cp "target/$target/release/siskin" /usr/local/bin/siskin

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/bin/siskin /siskin
USER 65532:65532
ENTRYPOINT ["/siskin"]
