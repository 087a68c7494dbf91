#pragma once

#include "config/matcher_config.h"
#include "io/stored_tensor.h"

namespace asap::data {

/// What the descriptors of a file are:
///   histogram  numbers >= 0 (SIFT): divided by their sum, then the root (Arandjelovic and
///   Zisserman
///              2012, "RootSIFT")
///   vector     any numbers (SuperPoint, SURF): divided by their length
///   bits       bytes of eight bits each (ORB, BRISK, AKAZE), first bit highest: +1 and -1, divided
///              by the root of their number, so that distances are those of Hamming
/// In all three, a descriptor becomes a vector of length one; a descriptor of zeros stays zero.
///
/// Automatic: bytes are a histogram if there are 128 of them, else bits. Floats are a histogram if
/// none is negative and one is above 1, else vectors.
config::DescriptorKind resolve_descriptors(config::DescriptorKind kind,
                                           const io::StoredTensor& descriptors);

/// Numbers of a decoded descriptor: eight per byte of bits.
std::int64_t decoded_width(config::DescriptorKind kind, std::int64_t width);

/// Decodes one descriptor. stored: [width], out: [decoded_width]. Values must be finite and, of
/// histograms, not negative.
template <class T>
void decode_descriptor(config::DescriptorKind kind, tensor::VectorView<const T> stored,
                       tensor::VectorView<float> out);

/// "histogram", "vector", "bits" or "automatic".
const char* descriptor_kind_name(config::DescriptorKind kind);

}  // namespace asap::data
