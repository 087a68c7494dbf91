#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace asap {

/// Whether the bytes start as a gzip stream does.
bool is_gzip(std::string_view bytes);

/// Unpacks one gzip stream. DataError names `source` when the stream is damaged, ends early, is
/// followed by other bytes, or holds more than `limit` bytes; no more than that is ever held.
std::string decompress_gzip(std::string_view bytes, std::size_t limit, const std::string& source);

/// The first `count` bytes of a gzip stream, or fewer when it holds fewer. The rest is not looked
/// at.
std::string decompress_gzip_prefix(std::string_view bytes, std::size_t count,
                                   const std::string& source);

/// Packs with zlib's best compression and no time stamp, so that equal content is equal bytes.
std::string compress_gzip(std::string_view bytes);

}  // namespace asap
