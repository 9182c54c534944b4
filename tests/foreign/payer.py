#!/usr/bin/env python3
"""payer.py: paying an on-chain orchestrator through a remote signer, with
foreign code. Prints what each step was answered with, as one JSON object.

    payer.py URL MODEL SIGNER OFFCHAIN_URL
"""
import asyncio
import base64
import json
import sys

import aiohttp

import client
import messages


def encoded(message):
    return base64.b64encode(message.SerializeToString()).decode()


class Steps:
    def __init__(self, session, url, signer):
        self.session = session
        self.url = url
        self.signer = signer
        self.seen = {}

    async def post(self, name, url, body=None, headers=None):
        data = json.dumps(body) if body is not None else b""
        async with self.session.post(url, data=data,
                                     headers=headers) as answer:
            content = await answer.read()
            self.seen[name] = [answer.status,
                               content.decode("utf-8", "replace")]
            self.headers = answer.headers
            return content

    async def pay(self, name, info, **more):
        body = {"orchestrator": encoded(info), "type": "lv2v", **more}
        return json.loads(await self.post(
            name, f"{self.signer}/generate-live-payment", body))

    async def start(self, name, payment, model, segment=None):
        headers = {"Livepeer-Payment": payment["payment"],
                   "Livepeer-Segment": segment or payment["segCreds"]}
        return await self.post(name, f"{self.url}/live-video-to-video",
                               {"model_id": model}, headers)


async def sign_in(steps, channel, model):
    """GetOrchestrator as an on-chain orchestrator wants to be asked."""
    unsigned = messages.new("OrchestratorRequest")
    steps.seen["unsigned"] = client.refusal_of(channel, unsigned)
    said = json.loads(await steps.post(
        "sign", f"{steps.signer}/sign-orchestrator-info", {}))
    request = messages.new(
        "OrchestratorRequest", address=bytes.fromhex(said["address"][2:]),
        sig=bytes.fromhex(said["signature"][2:]),
        capabilities=messages.live_capabilities(model))
    info = client.ask(channel, request)
    request.sig = bytes(65)
    steps.seen["badly signed"] = client.refusal_of(channel, request)
    return info


async def run(url, model, signer, offchain_url):
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        steps = Steps(session, url, signer)
        with client.channel_to(url) as channel:
            info = await sign_in(steps, channel, model)
        steps.seen["price"] = info.price_info.pricePerUnit
        steps.seen["recipient"] = "0x" + info.ticket_params.recipient.hex()

        first = await steps.pay("first payment", info)
        job = json.loads(await steps.start("start", first, model))
        await steps.start("again", first, model)
        await steps.start("nothing", {"payment": "", "segCreds": ""}, model)
        await steps.start("unsigned segment", first, model,
                          encoded(messages.new("SegData",
                                               auth_token=info.auth_token)))
        unpaid = messages.read("Payment", base64.b64decode(first["payment"]))
        del unpaid.ticket_sender_params[:]
        await steps.start("no tickets in it",
                          {"payment": encoded(unpaid),
                           "segCreds": first["segCreds"]}, model)

        state = first["state"]
        await steps.pay("state without id", info, state=state)
        broken = {"State": state["State"], "Sig": base64.b64encode(
            bytes(65)).decode()}
        await steps.pay("broken state", info, state=broken,
                        ManifestID=job["manifest_id"])
        await asyncio.sleep(1.5)
        more = await steps.pay("second payment", info, state=state,
                               ManifestID=job["manifest_id"])
        result = messages.read("PaymentResult", await steps.post(
            "top up", f"{url}/payment", None,
            {"Livepeer-Payment": more["payment"],
             "Livepeer-Segment": more["segCreds"]}))
        steps.seen["top up"][1] = ""
        steps.seen["fresh params"] = (
            result.info.ticket_params.seed != info.ticket_params.seed)
        await steps.post("nothing to top up", f"{url}/payment")

        await steps.pay("too dear", info, maxPrice={
            "price": info.price_info.pricePerUnit - 1, "currency": "wei"})
        late = messages.read("OrchestratorInfo", info.SerializeToString())
        late.auth_token.expiration = 1
        await steps.pay("late token", late)
        steps.seen["late token's url"] = steps.headers.get(
            "Livepeer-Orchestrator-URL")
        late.auth_token.expiration = -2**63
        await steps.pay("token of long ago", late)
        await steps.pay("negative pixels", info, inPixels=-2**63)
        vast = messages.read("OrchestratorInfo", info.SerializeToString())
        vast.ticket_params.face_value = b"\x60" + bytes(7)
        vast.ticket_params.win_prob = b"\xff" * 32
        vast.price_info.pricePerUnit = 2**38
        await steps.pay("vast terms", vast)
        with client.channel_to(offchain_url) as channel:
            free = client.ask(channel, messages.new("OrchestratorRequest"))
        await steps.pay("off-chain", free)
        await steps.pay("nothing asked", info, type=None)
        async with session.get(f"{signer}/discover-orchestrators?caps="
                               f"live-video-to-video/{model}") as answer:
            steps.seen["discovered"] = await answer.json()
        return steps.seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(*sys.argv[1:]))))
