"""The sample's relay as a process of its own: ``python -m tests.integration.relay.process <kafka> <mongo> <prefix>``.

Its producer is given two seconds to answer, so that a test need not wait half a minute.
"""

import asyncio
import signal
import sys

from services.chassis.publishing.publisher import Publisher
from services.chassis.publishing.relay import Relay
from services.chassis.telemetry import configure_logs
from tests.integration.relay.sample import made, settings

LATE_SECONDS = 2.0


async def main(kafka: str, mongo: str, prefix: str) -> None:
    sample = made(settings(kafka, mongo, prefix))
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await Relay(sample, Publisher(sample.settings, late_after=LATE_SECONDS)).run(stopping)


if __name__ == "__main__":
    configure_logs("sample", "relay")
    asyncio.run(main(*sys.argv[1:4]))
