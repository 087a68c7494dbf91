#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace asap::io {

/// Whether the bytes begin like a gzip stream.
bool is_gzip(std::string_view bytes);

/// Most bytes to which a stream of `packed` bytes may unpack; a longer stream is taken for an
/// attack on memory. 30 times `packed`, or 16 MiB for short streams; images compress 2 to 10 times.
std::size_t unpacked_limit(std::size_t packed);

/// Unpacks a gzip file: one stream or several, one after the other (RFC 1952, 2.2), and zeros that
/// pad them. DataError names `source` when a stream is damaged or ends early, when other bytes
/// follow, or when they unpack to more than `limit` or unpacked_limit bytes. It never holds more
/// than that in memory.
std::string decompress_gzip(std::string_view bytes, std::size_t limit, const std::string& source);

/// The first `count` bytes that a gzip file unpacks to, or all of a shorter one. The rest is not
/// read.
std::string decompress_gzip_prefix(std::string_view bytes, std::size_t count,
                                   const std::string& source);

/// Packs with zlib's best compression and no time stamp, so that equal content gives equal bytes.
std::string compress_gzip(std::string_view bytes);

}  // namespace asap::io
