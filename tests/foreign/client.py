#!/usr/bin/env python3
"""client.py: a gateway's part towards an orchestrator, with foreign code:
grpcio, aiohttp, Google's protobuf. Nothing of assay is in it.

    client.py URL MODEL SECONDS

asks GetOrchestrator with and without capabilities, starts a live job,
publishes the test pattern in real time, reads output and events, changes a
parameter, stops, and prints one JSON object with what it saw.
"""
import asyncio
import base64
import json
import pathlib
import ssl
import sys
import time
import urllib.parse

import aiohttp
import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import messages
import mpegts

METHOD = "/net.Orchestrator/GetOrchestrator"


# ---- discovery ---------------------------------------------------------------


def channel_to(url):
    """Trust on first use, as clients of the network do."""
    place = urllib.parse.urlsplit(url)
    pem = ssl.get_server_certificate((place.hostname, place.port))
    return grpc.secure_channel(
        place.netloc, grpc.ssl_channel_credentials(pem.encode()))


def ask(channel, request):
    call = channel.unary_unary(
        METHOD, request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=lambda data: messages.read("OrchestratorInfo",
                                                         data))
    return call(request, timeout=5)


def refusal_of(channel, request):
    """Code and sentence of a call that is refused."""
    try:
        ask(channel, request)
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
    return None


def discover(url, model):
    with channel_to(url) as channel:
        plain = ask(channel, messages.new("OrchestratorRequest"))
        wanted = ask(channel, messages.new(
            "OrchestratorRequest",
            capabilities=messages.live_capabilities(model)))
        refused = refusal_of(channel, messages.new(
            "OrchestratorRequest",
            capabilities=messages.live_capabilities("no-such-model")))
    return plain, wanted, refused


# ---- trickle -----------------------------------------------------------------


class Stream:
    """One job, from its URLs on."""

    def __init__(self, session, urls):
        self.session = session
        self.urls = urls
        self.sent = {}      # pts: when its last byte was sent
        self.frames = []    # (arrival, pts) of output frames
        self.events = []
        self.statuses = []  # of publishing
        self.stopped = None

    async def publish_segment(self, seq, pieces, started):
        async def body():
            for due, data in pieces:
                await asyncio.sleep(max(0, started + due - time.monotonic()))
                yield data
                for frame in mpegts.read_frames(data):
                    self.sent[frame.pts] = time.monotonic()
        async with self.session.post(f"{self.urls['publish_url']}/{seq}",
                                     data=body()) as answer:
            self.statuses.append(
                (answer.status, answer.headers.get("Lp-Trickle-Seq")))
            return (answer.status == 200 and
                    "Lp-Trickle-Closed" not in answer.headers)

    async def publish(self, seconds):
        started = time.monotonic()
        for seq, pieces in enumerate(mpegts.segments(seconds // 2)):
            if not await self.publish_segment(seq, pieces, started):
                break

    async def segment(self, url, seq):
        """A segment's bytes with their times; None at the stream's end."""
        async with self.session.get(f"{url}/{seq}") as answer:
            if answer.status != 200 or "Lp-Trickle-Closed" in answer.headers:
                return None
            assert int(answer.headers["Lp-Trickle-Seq"]) == seq
            pieces = []
            async for data in answer.content.iter_any():
                pieces.append((time.monotonic(), data))
            return pieces

    async def read_output(self):
        seq = 0
        while (pieces := await self.segment(self.urls["subscribe_url"], seq)
               ) is not None:
            ends, length = [], 0
            for at, data in pieces:
                length += len(data)
                ends.append((length, at))
            whole = b"".join(data for _, data in pieces)
            for frame in mpegts.read_frames(whole):
                at = next(at for end, at in ends if end >= frame.end)
                self.frames.append((at, frame.pts))
            seq += 1

    async def read_events(self):
        seq = 0
        while (pieces := await self.segment(self.urls["events_url"], seq)
               ) is not None:
            self.events.append(json.loads(b"".join(d for _, d in pieces)))
            seq += 1

    async def control(self, seq, document):
        async with self.session.post(f"{self.urls['control_url']}/{seq}",
                                     data=json.dumps(document)) as answer:
            assert answer.status == 200, answer.status

    async def stop(self):
        """400 where the orchestrator has ended the job before."""
        async with self.session.delete(self.urls["publish_url"]) as answer:
            self.stopped = answer.status


async def start(session, url, model, token):
    segment = messages.new("SegData", auth_token=token)
    headers = {"Livepeer-Payment": "",
               "Livepeer-Segment":
                   base64.b64encode(segment.SerializeToString()).decode()}
    body = {"model_id": model, "params": {"prompt": "a red bicycle"},
            "gateway_request_id": "request-1", "stream_id": "stream-1"}
    asked = time.monotonic()
    async with session.post(f"{url}/live-video-to-video", json=body,
                            headers=headers) as answer:
        text = await answer.text()
        assert answer.status == 200, (answer.status, text)
        return json.loads(text), time.monotonic() - asked


async def stream(url, model, token, seconds):
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        urls, startup = await start(session, url, model, token)
        job = Stream(session, urls)
        readers = [asyncio.create_task(job.read_output()),
                   asyncio.create_task(job.read_events())]
        await job.control(0, {"keep": "alive"})
        await job.control(1, {"prompt": "a blue bicycle"})
        await job.publish(seconds)
        await asyncio.sleep(0.5)
        await job.stop()
        await asyncio.wait_for(asyncio.gather(*readers), 10)
        return job, startup


def main(url, model, seconds):
    plain, wanted, refused = discover(url, model)
    job, startup = asyncio.run(stream(url, model, wanted.auth_token,
                                      int(seconds)))
    offer = wanted.capabilities.constraints.PerCapability[35].models[model]
    print(json.dumps({
        "transcoder": plain.transcoder,
        "signing_address": "0x" + plain.address.hex(),
        "version": plain.capabilities.version,
        "hardware": [item.gpu_info["0"].name for item in plain.hardware],
        "hardware_when_asked": len(wanted.hardware),
        "idle": offer.capacity,
        "busy": offer.capacityInUse,
        "warm": offer.warm,
        "refused": refused,
        "urls": job.urls,
        "startup_s": startup,
        "published": job.statuses,
        "stopped": job.stopped,
        "frames": job.frames,
        "latencies_s": [at - job.sent[pts] for at, pts in job.frames
                        if pts in job.sent],
        "events": job.events,
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
