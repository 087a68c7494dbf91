#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace asap::io {

/// Whether the bytes start as a gzip stream does.
bool is_gzip(std::string_view bytes);

/// Most bytes a stream of `packed` bytes may unpack to before it is taken for one that is made to
/// exhaust memory: 30 times as many, or 16 MiB for short ones. Images pack 2 to 10 times smaller.
std::size_t unpacked_limit(std::size_t packed);

/// Unpacks one gzip stream. DataError names `source` when the stream is damaged, ends early, is
/// followed by other bytes, or holds more than `limit` or unpacked_limit bytes; no more than that
/// is ever held.
std::string decompress_gzip(std::string_view bytes, std::size_t limit, const std::string& source);

/// The first `count` bytes of a gzip stream, or fewer when it holds fewer. The rest is not looked
/// at.
std::string decompress_gzip_prefix(std::string_view bytes, std::size_t count,
                                   const std::string& source);

/// Packs with zlib's best compression and no time stamp, so that equal content is equal bytes.
std::string compress_gzip(std::string_view bytes);

}  // namespace asap::io
