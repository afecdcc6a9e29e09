#!/usr/bin/env bash
# Status 0 if the service on this machine is ready. Bash alone, so that the image needs no HTTP client.
#   deploy/healthcheck.sh [HOST [PORT]]
set -euo pipefail

exec 3<>"/dev/tcp/${1:-127.0.0.1}/${2:-8090}"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _ code _ <&3
[ "$code" = 200 ]
