"""An empty handler in the consumer guard's shape: what faust and the loop cost when nothing is done with an event.

``python -m tests.load.empty_worker <bootstrap> <topic> <events>`` prints the events a second from the first batch on.
"""

import asyncio
import os
import sys
import time

import faust


async def main(bootstrap: str, topic: str, events: int) -> None:
    """Take that many and print the rate."""
    app = faust.App(
        f"bench-empty-{time.time_ns()}", broker=f"kafka://{bootstrap}", store="memory://", web_enabled=False,
        topic_disable_leader=True, consumer_auto_offset_reset="earliest", stream_wait_empty=False,
    )  # fmt: skip
    source = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    done = asyncio.Event()
    taken, begun = 0, 0.0

    @app.agent(source, concurrency=1)
    async def empty(stream: faust.StreamT[bytes]) -> None:
        nonlocal taken, begun
        stream.enable_acks = False
        async for event in stream.events():
            begun = begun or time.perf_counter()
            event.ack()
            taken += 1
            if taken >= events:
                done.set()

    await app.start()
    await asyncio.wait_for(done.wait(), 300)
    print(f"{taken / (time.perf_counter() - begun):.0f}", flush=True)


if __name__ == "__main__":
    with asyncio.Runner() as runner:
        runner.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
        os._exit(0)  # faust has no end of its own: its tasks would keep the loop for ever
