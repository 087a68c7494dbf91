#include "io/npz.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <zlib.h>

#include "base/counted.h"
#include "base/files.h"
#include "io/gzip.h"
#include "io/json.h"
#include "io/npy.h"

namespace asap::io {
namespace {

constexpr std::string_view kLocalHeader("PK\x03\x04", 4);
constexpr std::string_view kDirectoryEntry("PK\x01\x02", 4);
constexpr std::string_view kDirectoryEnd("PK\x05\x06", 4);
constexpr std::string_view kDirectoryEnd64("PK\x06\x06", 4);
constexpr std::string_view kLocator64("PK\x06\x07", 4);
constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::size_t kDirectoryEntryBytes = 46;
constexpr std::size_t kDirectoryEndBytes = 22;
constexpr std::size_t kDirectoryEnd64Bytes = 56;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::size_t kLongestComment = 65535;
constexpr std::uint64_t kIn64Bits = 0xffffffff;  // a size or offset that the extra field holds
constexpr std::uint64_t kExtra64 = 1;
constexpr std::uint64_t kEncrypted = 1;
constexpr std::uint64_t kStored = 0;
constexpr std::uint64_t kDeflated = 8;
constexpr std::string_view kEnding = ".npy";
constexpr const char* kHint = "write it again with numpy.savez(FILE, NAME=array, ...)";

/// A member as the archive's directory describes it.
struct Member {
  std::string name;
  std::uint64_t flags = 0;
  std::uint64_t method = 0;
  std::uint64_t checksum = 0;
  std::uint64_t packed = 0;    ///< bytes in the archive
  std::uint64_t unpacked = 0;  ///< bytes of the npy file
  std::uint64_t header = 0;    ///< offset of its local header
};

/// The array's name; empty for a member that is no array.
std::string array_name(const Member& member) {
  if (!member.name.ends_with(kEnding)) return {};
  return member.name.substr(0, member.name.size() - kEnding.size());
}

/// Reads the directory of an archive and unpacks its members.
class Archive {
 public:
  Archive(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  std::vector<Member> members() const {
    std::uint64_t at = 0, size = 0, count = 0;
    find_directory(&at, &size, &count);
    std::string_view directory = part(at, size);
    std::vector<Member> found;
    while (!directory.empty()) {
      found.push_back(read_entry(&directory));
      if (found.size() > count) break;
    }
    if (found.size() != count)
      fail("its directory should list " + base::counted(count, "member") + ", but lists " +
           (found.size() > count ? "more" : std::to_string(found.size())));
    return found;
  }

  std::string unpack(const Member& member) const {
    if (member.flags & kEncrypted) fail(member, "is encrypted");
    const std::string_view header = part(member.header, kLocalHeaderBytes);
    if (!header.starts_with(kLocalHeader)) fail(member, "has no header where it should begin");
    const std::uint64_t start =
        member.header + kLocalHeaderBytes + number(header, 26, 2) + number(header, 28, 2);
    const std::string_view packed = part(start, member.packed);
    std::string content;
    if (member.method == kStored) {
      if (member.packed != member.unpacked) fail(member, "is stored, but has two sizes");
      content = packed;
    } else if (member.method == kDeflated) {
      content = inflate_member(member, packed);
    } else {
      fail(member, "is packed by method " + std::to_string(member.method) +
                       ", expected stored or deflated");
    }
    const auto* data = reinterpret_cast<const Bytef*>(content.data());
    if (crc32_z(0, data, content.size()) != member.checksum)
      fail(member, "does not match its checksum (damaged?)");
    return content;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw base::DataError(source_ + ": " + what, kHint);
  }
  [[noreturn]] void fail(const Member& member, const std::string& what) const {
    fail("array '" + excerpt(array_name(member)) + "' " + what);
  }

  /// `count` bytes from `at`; both come from the file.
  std::string_view part(std::uint64_t at, std::uint64_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at)
      fail("the archive's directory points beyond its end (truncated?)");
    return bytes_.substr(at, count);
  }

  /// A little-endian number of `size` bytes inside `text`.
  static std::uint64_t number(std::string_view text, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;)
      value = value << 8 | static_cast<std::uint8_t>(text[at + i]);
    return value;
  }

  void find_directory(std::uint64_t* at, std::uint64_t* size, std::uint64_t* count) const {
    const std::size_t most = kDirectoryEndBytes + kLongestComment;
    const std::size_t from = bytes_.size() > most ? bytes_.size() - most : 0;
    const std::size_t found = bytes_.substr(from).rfind(kDirectoryEnd);
    if (found == std::string_view::npos || bytes_.size() - from - found < kDirectoryEndBytes)
      fail("not a complete npz archive: it has no directory at its end (truncated?)");
    const std::size_t end = from + found;
    const std::string_view text = bytes_.substr(end);
    *count = number(text, 10, 2);
    *size = number(text, 12, 4);
    *at = number(text, 16, 4);
    if (end < kLocator64Bytes) return;
    const std::string_view locator = part(end - kLocator64Bytes, kLocator64Bytes);
    if (!locator.starts_with(kLocator64)) return;
    const std::string_view text64 = part(number(locator, 8, 8), kDirectoryEnd64Bytes);
    if (!text64.starts_with(kDirectoryEnd64)) fail("its 64-bit directory is damaged");
    *count = number(text64, 32, 8);
    *size = number(text64, 40, 8);
    *at = number(text64, 48, 8);
  }

  Member read_entry(std::string_view* directory) const {
    const std::string_view text = *directory;
    if (text.size() < kDirectoryEntryBytes || !text.starts_with(kDirectoryEntry))
      fail("its directory is damaged");
    const std::uint64_t name = number(text, 28, 2);
    const std::uint64_t extra = number(text, 30, 2);
    const std::uint64_t length = kDirectoryEntryBytes + name + extra + number(text, 32, 2);
    if (length > text.size()) fail("its directory ends early");
    Member member;
    member.name = text.substr(kDirectoryEntryBytes, name);
    member.flags = number(text, 8, 2);
    member.method = number(text, 10, 2);
    member.checksum = number(text, 16, 4);
    member.packed = number(text, 20, 4);
    member.unpacked = number(text, 24, 4);
    member.header = number(text, 42, 4);
    read_sizes_of_64_bits(text.substr(kDirectoryEntryBytes + name, extra), &member);
    directory->remove_prefix(length);
    return member;
  }

  /// The extra field holds, in this order, those of the three numbers that do not fit in 32 bits.
  void read_sizes_of_64_bits(std::string_view extra, Member* member) const {
    while (extra.size() >= 4) {
      const std::uint64_t id = number(extra, 0, 2);
      const std::uint64_t length = number(extra, 2, 2);
      if (length > extra.size() - 4) fail(*member, "has a damaged entry in the directory");
      std::string_view field = extra.substr(4, length);
      extra.remove_prefix(4 + length);
      if (id != kExtra64) continue;
      for (std::uint64_t* value : {&member->unpacked, &member->packed, &member->header}) {
        if (*value != kIn64Bits) continue;
        if (field.size() < 8) fail(*member, "has a damaged entry in the directory");
        *value = number(field, 0, 8);
        field.remove_prefix(8);
      }
    }
  }

  std::string inflate_member(const Member& member, std::string_view packed) const {
    // zlib counts in 32 bits.
    const std::uint64_t most = std::numeric_limits<uInt>::max();
    if (packed.size() > most || member.unpacked > most)
      fail(member, "has more than 4 GB, which only stored members may");
    std::string content(member.unpacked, '\0');
    z_stream stream{};
    base::check(inflateInit2(&stream, -MAX_WBITS) == Z_OK, "zlib cannot be initialised");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = static_cast<uInt>(content.size());
    const int status = inflate(&stream, Z_FINISH);
    const bool complete =
        status == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == member.unpacked;
    inflateEnd(&stream);
    if (!complete) fail(member, "does not unpack to the size that its directory claims (damaged?)");
    return content;
  }

  std::string_view bytes_;
  const std::string& source_;
};

}  // namespace

bool is_npz(std::string_view bytes) {
  return bytes.starts_with(kLocalHeader) || bytes.starts_with(kDirectoryEnd);
}

TensorFile parse_npz(std::string_view bytes, const std::string& source,
                     const std::vector<std::string>& names) {
  if (!is_npz(bytes)) throw base::DataError(source + ": not an npz archive (wrong magic)", kHint);
  const Archive archive(bytes, source);
  TensorFile file;
  file.source = source;
  std::uint64_t left = unpacked_limit(bytes.size());
  for (const Member& member : archive.members()) {
    const std::string name = array_name(member);
    const bool wanted = names.empty() || std::find(names.begin(), names.end(), name) != names.end();
    if (name.empty() || !wanted) continue;
    const std::string where = source + ": array '" + excerpt(name) + "'";
    if (file.tensors.contains(name)) throw base::DataError(where + " occurs twice", kHint);
    if (member.unpacked > left)
      throw base::DataError(where + " unpacks to " + std::to_string(member.unpacked) +
                                " bytes; an archive of " + std::to_string(bytes.size()) +
                                " bytes holds no more than " +
                                std::to_string(unpacked_limit(bytes.size())),
                            "if you trust the file, write it with numpy.savez, uncompressed");
    left -= member.unpacked;
    file.tensors.emplace(name, parse_npy(archive.unpack(member), where));
  }
  if (names.empty() && file.tensors.empty())
    throw base::DataError(source + ": the archive holds no arrays", kHint);
  return file;
}

TensorFile read_npz(const std::filesystem::path& path, const std::vector<std::string>& names) {
  return parse_npz(base::read_file(path), path.string(), names);
}

}  // namespace asap::io
