#!/usr/bin/env bash
# Writes an OCI image with Siskin, without a container engine: image.sh FILE [NAME:TAG]
#
# The binary is static: the image holds it and the certificates of public authorities, and nothing else. PROFILE=quick
# builds faster.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
file=${1:?the file to write}
name=${2:-siskin:$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)}
profile=${PROFILE:-release}
target=$(rustc --print host-tuple 2>/dev/null || rustc -vV | sed -n 's/^host: //p')

# With a target given, the flag does not reach build scripts and macros, which must stay dynamic.
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" cargo build --locked --profile "$profile" --target "$target" --bin siskin
binary=${CARGO_TARGET_DIR:-target}/$target/$profile/siskin
"$binary" version --short
# Of a static binary that can be placed anywhere ldd says so, and succeeds.
! ldd "$binary" 2>&1 | grep -q '=>' || { echo "image: $binary is not static" >&2 && exit 1; }

files=("$binary=/siskin")
for certificates in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [ ! -f "$certificates" ] || { files+=("$certificates=/etc/ssl/certs/ca-certificates.crt") && break; }
done
[ ${#files[@]} = 2 ] || echo "image: no certificates found here: providers with public certificates will not be reached" >&2
python3 e2e/image/oci_tar.py --output "$file" --name "$name" --command '["/siskin"]' "${files[@]}"
echo "image: wrote $file ($(du -h "$file" | cut -f1)), named $name"
