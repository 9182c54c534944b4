#!/usr/bin/env python3
"""credentials.py: an orchestrator's auth token, as the header Livepeer-Segment.

    credentials.py URL MODEL
"""
import base64
import json
import sys

import client
import messages


def main(url, model):
    with client.channel_to(url) as channel:
        info = client.ask(channel, messages.new(
            "OrchestratorRequest", ignoreCapacityCheck=True,
            capabilities=messages.live_capabilities(model)))
    segment = messages.new("SegData", auth_token=info.auth_token)
    print(json.dumps({
        "segment": base64.b64encode(segment.SerializeToString()).decode()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
