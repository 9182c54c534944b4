"""messages.py: the network's protobuf messages for Google's own runtime, as
livepeer-protocols.md §2.3 lists them.

    message = new("OrchestratorRequest", ignoreCapacityCheck=True)
    message.SerializeToString()

The descriptors are built here by hand, so that no compiler is needed and
nothing of the C is taken over.
"""
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "net"
KINDS = {"string": 9, "bytes": 12, "bool": 8, "int64": 3, "uint32": 13,
         "uint64": 4, "int32": 5}

# name: {field: (number, type)}; "*" repeats, "map<K,V>" is a map.
MESSAGES = {
    "PriceInfo": {"pricePerUnit": (1, "int64"), "pixelsPerUnit": (2, "int64"),
                  "capability": (3, "uint32"), "constraint": (4, "string")},
    "ModelConstraint": {"warm": (1, "bool"), "capacity": (2, "uint32"),
                        "runnerVersion": (3, "string"),
                        "capacityInUse": (4, "uint32")},
    "CapabilityConstraints": {"models": (1, "map<string,ModelConstraint>")},
    "Constraints": {"minVersion": (1, "string"),
                    "PerCapability": (2, "map<uint32,CapabilityConstraints>")},
    "Capabilities": {"bitstring": (1, "uint64*"),
                     "mandatories": (2, "uint64*"),
                     "capacities": (3, "map<uint32,uint32>"),
                     "version": (4, "string"),
                     "constraints": (5, "Constraints")},
    "AuthToken": {"token": (1, "bytes"), "session_id": (2, "string"),
                  "expiration": (3, "int64")},
    "GPUComputeInfo": {"id": (1, "string"), "name": (2, "string"),
                       "major": (4, "uint32"), "minor": (5, "uint32"),
                       "memory_free": (6, "int64"),
                       "memory_total": (7, "int64")},
    "HardwareInformation": {"pipeline": (1, "string"),
                            "model_id": (2, "string"),
                            "gpu_info": (3, "map<string,GPUComputeInfo>")},
    "TicketExpirationParams": {"creation_round": (1, "int64"),
                               "creation_round_block_hash": (2, "bytes")},
    "TicketParams": {"recipient": (1, "bytes"), "face_value": (2, "bytes"),
                     "win_prob": (3, "bytes"),
                     "recipient_rand_hash": (4, "bytes"),
                     "seed": (5, "bytes"), "expiration_block": (6, "bytes"),
                     "expiration_params": (7, "TicketExpirationParams")},
    "TicketSenderParams": {"sender_nonce": (1, "uint32"), "sig": (2, "bytes")},
    "Payment": {"ticket_params": (1, "TicketParams"), "sender": (2, "bytes"),
                "expiration_params": (3, "TicketExpirationParams"),
                "ticket_sender_params": (4, "TicketSenderParams*"),
                "expected_price": (5, "PriceInfo")},
    "OrchestratorRequest": {"address": (1, "bytes"), "sig": (2, "bytes"),
                            "capabilities": (3, "Capabilities"),
                            "ignoreCapacityCheck": (4, "bool")},
    "OrchestratorInfo": {"transcoder": (1, "string"),
                         "ticket_params": (2, "TicketParams"),
                         "price_info": (3, "PriceInfo"),
                         "address": (4, "bytes"),
                         "capabilities": (5, "Capabilities"),
                         "auth_token": (6, "AuthToken"),
                         "hardware": (7, "HardwareInformation*"),
                         "capabilities_prices": (33, "PriceInfo*"),
                         "nodes": (34, "string*")},
    "PaymentResult": {"info": (16, "OrchestratorInfo")},
    "SegData": {"manifestId": (1, "bytes"), "seq": (2, "int64"),
                "hash": (3, "bytes"), "profiles": (4, "bytes"),
                "sig": (5, "bytes"), "duration": (6, "int32"),
                "capabilities": (7, "Capabilities"),
                "auth_token": (8, "AuthToken")},
}


def set_type(field, kind):
    if kind in KINDS:
        field.type = KINDS[kind]
    else:
        field.type = 11
        field.type_name = f".{PACKAGE}.{kind}"


def add_map(message, field, kind):
    """A map is a repeated message of keys and values (proto3)."""
    key, value = kind[4:-1].split(",")
    entry = message.nested_type.add()
    words = field.name.split("_")
    entry.name = "".join(word[:1].upper() + word[1:] for word in words)
    entry.name += "Entry"
    entry.options.map_entry = True
    for number, (name, inner) in enumerate([("key", key), ("value", value)]):
        part = entry.field.add(name=name, number=number + 1, label=1)
        set_type(part, inner)
    field.type = 11
    field.type_name = f".{PACKAGE}.{message.name}.{entry.name}"


def describe():
    described = descriptor_pb2.FileDescriptorProto(
        name="livepeer.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = described.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            repeated = kind.endswith("*") or kind.startswith("map<")
            field = message.field.add(name=field_name, number=number,
                                      label=3 if repeated else 1)
            if kind.startswith("map<"):
                add_map(message, field, kind)
            else:
                set_type(field, kind.rstrip("*"))
    return described


POOL = descriptor_pool.DescriptorPool()
POOL.Add(describe())
FACTORY = message_factory.MessageFactory(POOL)


def kind(name):
    return FACTORY.GetPrototype(
        POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


def new(name, **fields):
    return kind(name)(**fields)


def read(name, data):
    return kind(name).FromString(data)


def live_capabilities(model):
    """The least that a request for a live model says (§2.4)."""
    capabilities = new("Capabilities")
    capabilities.capacities[35] = 1
    capabilities.constraints.PerCapability[35].models[model].SetInParent()
    return capabilities
