/*
 * media.h: test video, out and in, without a decoder. Pure: no clock, no
 * file, no socket; the caller brings bytes and the instants they came at.
 *
 *     mpegts.h   transport streams: reading frames out of any bytes, writing
 *                frames as packets
 *     clip.h     the test pattern that is part of this program, published in
 *                a loop of any length
 *     retime.h   a stream made over at another rate or with other timestamps,
 *                for simulated runners
 *
 * Timestamps are in ticks of 90 kHz and have 33 bits on the wire (ISO/IEC
 * 13818-1 §2.4.3.7); in here they are int64_t and do not wrap.
 */
#ifndef ASSAY_MEDIA_MEDIA_H
#define ASSAY_MEDIA_MEDIA_H

#include "media/clip.h"
#include "media/mpegts.h"
#include "media/retime.h"

#endif
