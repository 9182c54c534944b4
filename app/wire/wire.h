/*
 * wire.h: what this program says and hears on the network.
 *
 * Both sides of the protocols of the Livepeer network, on libuv loops: the
 * client measures, the server is what the sandbox network is made of. No other
 * room sees libuv, libcurl, nghttp2 or a socket.
 */
#ifndef ASSAY_WIRE_WIRE_H
#define ASSAY_WIRE_WIRE_H

#include "wire/address.h"
#include "wire/grpc.h"
#include "wire/http.h"
#include "wire/loop.h"
#include "wire/server.h"
#include "wire/trickle.h"
#include "wire/trickle_channel.h"
#include "wire/trickle_server.h"
#include "wire/url.h"

#endif
