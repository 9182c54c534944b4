#!/usr/bin/env python3
"""orchestrator.py: orchestrators of foreign code (grpcio, aiohttp, Google's
protobuf), one that behaves and many that do what none should.

    orchestrator.py CERTIFICATE KEY

prints one JSON object, {name: url}, when all listen, and runs until its
standard input ends. `echo` speaks TLS and sends back what it gets, 100 ms
later. What the others do: their entries in CALLS and the methods of Job.
"""
import asyncio
import concurrent.futures
import json
import pathlib
import ssl
import sys
import threading
import time

import aiohttp.web as web
import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import messages

METHOD = "GetOrchestrator"
MODEL = "noop"
ECHO_DELAY_S = 0.1

# ---- GetOrchestrator ---------------------------------------------------------


def info(transcoder):
    models = messages.live_capabilities(MODEL)
    offer = models.constraints.PerCapability[35].models[MODEL]
    offer.warm, offer.capacity = True, 1
    models.version = "0.9.9"
    token = messages.new("AuthToken", token=b"\1\2\3", session_id="cafe",
                         expiration=int(time.time()) + 600)
    return messages.new("OrchestratorInfo", transcoder=transcoder,
                        capabilities=models,
                        auth_token=token).SerializeToString()


def refuse(context):
    context.abort(grpc.StatusCode.UNKNOWN,
                  "Invalid orchestrator request: OrchestratorCapped")


def hang(context):
    del context
    time.sleep(7)
    return b""


# Those that never come to a job.
CALLS = {
    "call_refuses": refuse,
    "call_garbage": lambda context: b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "call_giant": lambda context: b"\x0a\x80\x80\x80\x01" + bytes(2 << 20),
    "call_hangs": hang,
    "call_empty": lambda context: b"",
}


class Handler(grpc.GenericRpcHandler):
    def __init__(self, answer):
        self.answer = answer

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self.answer(context))


def serve_calls(answer, credentials=None):
    """Listens on a port of its own, which is returned."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2),
                         handlers=(Handler(answer),))
    port = (server.add_secure_port("127.0.0.1:0", credentials) if credentials
            else server.add_insecure_port("127.0.0.1:0"))
    server.start()
    return server, port


# ---- jobs --------------------------------------------------------------------


class Segment:
    def __init__(self):
        self.pieces = []
        self.closed = False
        self.changed = asyncio.Condition()

    async def add(self, piece):
        async with self.changed:
            self.pieces.append(piece)
            self.changed.notify_all()

    async def close(self):
        async with self.changed:
            self.closed = True
            self.changed.notify_all()

    async def read(self):
        at = 0
        while True:
            async with self.changed:
                await self.changed.wait_for(
                    lambda: at < len(self.pieces) or self.closed)
            if at == len(self.pieces):
                return
            yield self.pieces[at]
            at += 1


class Job:
    """What the orchestrators do by default; each name may have methods of its
    own: start_NAME, output_NAME, piece_NAME."""

    def __init__(self, name):
        self.name = name
        self.began = time.monotonic()
        self.segments = {}
        self.deleted = []

    def own(self, what):
        return getattr(self, f"{what}_{self.name}", getattr(self, what))

    def segment(self, seq):
        return self.segments.setdefault(seq, Segment())

    # Answers to the start request.

    def urls(self, **changes):
        base = f"/{self.name}/ai/trickle/cafe"
        urls = {"publish_url": base, "subscribe_url": base + "-out",
                "control_url": base + "-control",
                "events_url": base + "-events", "manifest_id": "cafe"}
        return web.json_response(dict(urls, **changes))

    async def start(self):
        return self.urls()

    async def start_refuses(self):
        return web.Response(status=500, text="no container")

    async def start_full(self):
        return web.Response(status=503, text="insufficient capacity")

    async def start_teapot(self):
        return web.Response(status=418, text="short and stout")

    async def start_no_json(self):
        return web.Response(text="hello")

    async def start_no_urls(self):
        return web.json_response({})

    async def start_a_file(self):
        return self.urls(subscribe_url="file:///etc/passwd")

    async def start_inside(self):
        return self.urls(publish_url="http://10.0.0.1:8935/ai/trickle/cafe")

    async def start_redirects(self):
        raise web.HTTPFound("/echo/live-video-to-video")

    async def start_big_head(self):
        return web.Response(headers={f"X-{i}": "x" * 4000 for i in range(40)})

    async def start_big_body(self):
        return web.Response(body=bytes(4 << 20))

    async def start_hangs(self):
        await asyncio.sleep(30)

    # What becomes of a piece of the input.

    async def piece(self, segment, data):
        await asyncio.sleep(ECHO_DELAY_S)
        await segment.add(data)

    async def piece_silent(self, segment, data):
        pass

    piece_complains = piece_silent

    async def piece_garbage(self, segment, data):
        await segment.add(bytes(reversed(data)))

    async def piece_stops(self, segment, data):
        if time.monotonic() - self.began < 1.5:
            await segment.add(data)

    async def take(self, request):
        """POST of an input segment."""
        segment = self.segment(int(request.match_info["seq"]))
        waiting = []
        async for data in request.content.iter_any():
            waiting.append(asyncio.create_task(self.own("piece")(segment,
                                                                 data)))
        await asyncio.gather(*waiting)
        await segment.close()
        return web.Response()

    async def take_deaf(self, request):
        await asyncio.sleep(30)

    async def take_closes(self, request):
        async for _ in request.content.iter_any():
            if time.monotonic() - self.began > 1:
                break
        return web.Response(headers={"Lp-Trickle-Closed": "terminated"})

    async def take_rude(self, request):
        request.transport.abort()

    # Output segments.

    async def begin(self, request, seq, **headers):
        answer = web.StreamResponse(headers={"Lp-Trickle-Seq": str(seq),
                                             **headers})
        await answer.prepare(request)
        return answer

    async def output(self, request, seq):
        seq = max(seq, 0)
        answer = None
        async for piece in self.segment(seq).read():
            if answer is None:
                answer = await self.begin(request, seq)
            await answer.write(piece)
        return await self.begin(request, seq) if answer is None else answer

    async def output_floods(self, request, seq):
        answer = await self.begin(request, max(seq, 0))
        while True:
            await answer.write(bytes(1 << 16))

    async def output_drips(self, request, seq):
        answer = await self.begin(request, max(seq, 0))
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.2)

    async def output_runs_away(self, request, seq):
        return web.Response(status=470,
                            headers={"Lp-Trickle-Latest": str(seq + 5)})

    async def output_miscounts(self, request, seq):
        answer = await self.begin(request, 7 if seq >= 0 else 0)
        await answer.write(b"x")
        return answer

    async def output_tiny(self, request, seq):
        answer = await self.begin(request, max(seq, 0))
        await answer.write(b"x")
        return answer

    async def output_lies(self, request, seq):
        """Says more than it sends."""
        answer = await self.begin(request, max(seq, 0),
                                  **{"Content-Length": "1000"})
        await answer.write(b"x")
        request.transport.abort()
        return answer

    async def events(self, request, seq):
        if self.name != "complains" or seq > 0:
            await asyncio.sleep(30)
        return web.Response(
            headers={"Lp-Trickle-Seq": "0"},
            text=json.dumps({"event": {"type": "error",
                                       "message": "out of \x1b[2J memory"}}))


class Site:
    """All jobs, each under the path /NAME."""

    def __init__(self):
        self.jobs = {}

    def application(self):
        app = web.Application(client_max_size=1 << 30)
        app.add_routes([
            web.post("/{name}/live-video-to-video", self.start),
            web.post("/{name}/ai/trickle/cafe/{seq}", self.take),
            web.post("/{name}/ai/trickle/cafe-control/{seq}", self.control),
            web.get("/{name}/ai/trickle/cafe-out/{seq}", self.output),
            web.get("/{name}/ai/trickle/cafe-events/{seq}", self.events),
            web.delete("/{name}/ai/trickle/{channel}", self.delete)])
        return app

    def job(self, request):
        return self.jobs[request.match_info["name"]]

    async def start(self, request):
        name = request.match_info["name"]
        self.jobs[name] = Job(name)
        return await self.jobs[name].own("start")()

    async def take(self, request):
        return await self.job(request).own("take")(request)

    async def control(self, request):
        await request.read()
        return web.Response()

    async def output(self, request):
        return await self.job(request).own("output")(
            request, int(request.match_info["seq"]))

    async def events(self, request):
        return await self.job(request).events(
            request, int(request.match_info["seq"]))

    async def delete(self, request):
        self.job(request).deleted.append(request.match_info["channel"])
        return web.Response()


NAMES = ["refuses", "full", "teapot", "no_json", "no_urls", "a_file", "inside",
         "redirects", "big_head", "big_body", "hangs", "silent", "complains",
         "garbage", "stops", "deaf", "rude", "floods", "drips", "runs_away",
         "miscounts", "tiny", "lies", "closes"]


async def listen(runner, context=None):
    """RUNNER is to be held as long as it listens."""
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    return runner.addresses[0][1]


async def main(certificate, key):
    site = Site()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    runners = [web.AppRunner(site.application()) for _ in range(2)]
    plain = f"http://127.0.0.1:{await listen(runners[0])}"
    secure = f"https://127.0.0.1:{await listen(runners[1], context)}"
    credentials = grpc.ssl_server_credentials(
        [(pathlib.Path(key).read_bytes(),
          pathlib.Path(certificate).read_bytes())])
    servers, urls = [], {}
    server, port = serve_calls(lambda _: info(f"{secure}/echo"), credentials)
    servers.append(server)
    urls["echo"] = f"https://127.0.0.1:{port}"
    answers = dict(CALLS)
    for name in NAMES:
        answers[name] = lambda _, name=name: info(f"{plain}/{name}")
    for name, answer in answers.items():
        server, port = serve_calls(answer)
        servers.append(server)
        urls[name] = f"http://127.0.0.1:{port}"
    print(json.dumps(urls), flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait():
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()
    print(json.dumps({name: job.deleted for name, job in site.jobs.items()}),
          flush=True)
    for server in servers:
        server.stop(None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
