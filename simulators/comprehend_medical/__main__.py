"""`python -m simulators.comprehend_medical --port N`: runs the simulator alone, for any AWS client."""

import argparse

from simulators.comprehend_medical.server import HOST, server


def main() -> None:
    """Serves on the loopback interface until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.comprehend_medical",
        description="Comprehend Medical, a stand-in.",
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    options = parser.parse_args()
    try:
        serving = server(options.port)
    except OSError as error:
        raise SystemExit(f"port {options.port} cannot be used: {error.strerror}") from None
    print(f"AWS_ENDPOINT_URL_COMPREHENDMEDICAL=http://{HOST}:{serving.server_port}", flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        serving.server_close()


if __name__ == "__main__":
    main()
