#!/usr/bin/env python3
"""credentials.py: what an orchestrator answers to one who wants to start a job,
and the headers that go with it.

    credentials.py URL MODEL [SIGNER]
"""
import base64
import json
import sys
import urllib.request

import client
import messages


def signed(request, signer):
    ask = urllib.request.Request(f"{signer}/sign-orchestrator-info", b"{}")
    with urllib.request.urlopen(ask, timeout=5) as answer:
        said = json.load(answer)
    request.address = bytes.fromhex(said["address"][2:])
    request.sig = bytes.fromhex(said["signature"][2:])


def encoded(message):
    return base64.b64encode(message.SerializeToString()).decode()


def main(url, model, signer=None):
    request = messages.new("OrchestratorRequest", ignoreCapacityCheck=True,
                           capabilities=messages.live_capabilities(model))
    if signer:
        signed(request, signer)
    with client.channel_to(url) as channel:
        refused = client.refusal_of(channel, request)
        info = None if refused else client.ask(channel, request)
    if refused:
        print(json.dumps({"refused": refused}))
        return
    promise = messages.new("Payment")
    promise.expected_price.pricePerUnit = 1
    promise.expected_price.pixelsPerUnit = 1
    print(json.dumps({
        "transcoder": info.transcoder,
        "nodes": list(info.nodes),
        "segment": encoded(messages.new("SegData",
                                        auth_token=info.auth_token)),
        "promise": encoded(promise)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
