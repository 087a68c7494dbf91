#include "io/gzip.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "base/error.h"

namespace asap::io {
namespace {

constexpr int kGzipWindow = 15 + 16;  // largest window, gzip header and checksum
constexpr std::size_t kChunk = 1 << 16;
constexpr std::size_t kLargestRatio = 30;
constexpr std::size_t kShortStream = 16 << 20;

uInt chunk_size(std::size_t bytes) {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

/// Unpacks a gzip file, member after member, piece by piece.
class Inflater {
 public:
  Inflater(std::string_view bytes, const std::string& source) : left_(bytes), source_(source) {
    base::check(inflateInit2(&stream_, kGzipWindow) == Z_OK, "zlib cannot be initialised");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends the next bytes, at most `count`, to `out`; none after ended().
  void read(std::size_t count, std::string* out) {
    const std::size_t start = out->size();
    out->resize(start + count);
    std::size_t done = 0;
    while (done < count && !ended_) {
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(left_.data()));
      stream_.avail_in = chunk_size(left_.size());
      const uInt offered = stream_.avail_in;
      stream_.next_out = reinterpret_cast<Bytef*>(out->data() + start + done);
      stream_.avail_out = chunk_size(count - done);
      const uInt room = stream_.avail_out;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      left_.remove_prefix(offered - stream_.avail_in);
      done += room - stream_.avail_out;
      if (status == Z_STREAM_END) end_member();
      if (status == Z_BUF_ERROR || (status == Z_OK && left_.empty() && stream_.avail_out > 0))
        throw base::DataError(source_ + ": the gzip stream ends early (truncated?)");
      if (status != Z_OK && status != Z_STREAM_END)
        throw base::DataError(source_ + ": damaged gzip stream" +
                              (stream_.msg ? std::string(" (") + stream_.msg + ")" : ""));
    }
    out->resize(start + done);
  }

  bool ended() const { return ended_; }
  std::size_t bytes_left() const { return left_.size(); }

 private:
  /// Skips the zeros that pad a stream, and goes on with the next member if there is one.
  void end_member() {
    const std::string_view padded = left_;
    left_.remove_prefix(std::min(left_.find_first_not_of('\0'), left_.size()));
    ended_ = !is_gzip(left_);
    if (ended_ && !left_.empty()) left_ = padded;
    base::check(ended_ || inflateReset(&stream_) == Z_OK, "zlib cannot be reset");
  }

  z_stream stream_{};
  std::string_view left_;
  const std::string& source_;
  bool ended_ = false;
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

std::size_t unpacked_limit(std::size_t packed) {
  return std::max(kShortStream, packed * kLargestRatio);
}

std::string decompress_gzip(std::string_view bytes, std::size_t limit, const std::string& source) {
  const std::size_t most = std::min(limit, unpacked_limit(bytes.size()));
  Inflater inflater(bytes, source);
  std::string out;
  while (!inflater.ended() && out.size() <= most) {
    // Grows by doubling, but never beyond the limit.
    if (out.capacity() - out.size() < kChunk)
      out.reserve(std::min(most + 1 + kChunk, 2 * out.capacity() + kChunk));
    inflater.read(std::min(kChunk, most + 1 - out.size()), &out);
  }
  if (out.size() > limit)
    throw base::DataError(source + ": holds more than the expected " + std::to_string(limit) +
                          " bytes");
  if (out.size() > most)
    throw base::DataError(source + ": " + std::to_string(bytes.size()) +
                              " bytes unpack to more than " + std::to_string(most) +
                              ", more than ordinary data do",
                          "if you trust the file, unpack it with gunzip first");
  if (inflater.bytes_left() > 0)
    throw base::DataError(source + ": " + std::to_string(inflater.bytes_left()) +
                              " unexpected bytes after the gzip stream",
                          "the file is damaged or more was appended; zcat FILE > NEW_FILE keeps "
                          "what can be unpacked");
  return out;
}

std::string decompress_gzip_prefix(std::string_view bytes, std::size_t count,
                                   const std::string& source) {
  Inflater inflater(bytes, source);
  std::string out;
  inflater.read(count, &out);
  return out;
}

std::string compress_gzip(std::string_view bytes) {
  z_stream stream{};
  base::check(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK,
              "zlib cannot be initialised");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = chunk_size(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = chunk_size(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  base::check(status == Z_STREAM_END, "compress_gzip: more than 4 GB are not supported");
  return out;
}

}  // namespace asap::io
