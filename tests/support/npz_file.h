// A writer of npz archives, as numpy.savez and numpy.savez_compressed make them.

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <zlib.h>

#include "base/error.h"
#include "io/npy.h"

namespace asap::test {

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (; bytes > 0; --bytes, value >>= 8) text += static_cast<char>(value & 0xff);
  return text;
}

/// A raw deflate stream.
inline std::string deflated(const std::string& content) {
  z_stream stream{};
  base::check(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK,
              "zlib cannot be initialised");
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  base::check(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate failed");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

enum class NpzPacking { stored, deflated, stored_with_64_bits };

/// A zip archive of files. With 64 bits, sizes and offsets stand in extra fields, as they do in
/// archives of more than 4 GB.
inline std::string zip_file(const std::map<std::string, std::string>& files, NpzPacking packing) {
  const bool wide = packing == NpzPacking::stored_with_64_bits;
  std::string archive, directory;
  for (const auto& [name, content] : files) {
    const std::string packed = packing == NpzPacking::deflated ? deflated(content) : content;
    const auto* data = reinterpret_cast<const Bytef*>(content.data());
    const std::string common = little_endian(45, 2) + little_endian(0, 2) +
                               little_endian(packing == NpzPacking::deflated ? 8 : 0, 2) +
                               little_endian(0, 4) +
                               little_endian(crc32_z(0, data, content.size()), 4);
    const std::string sizes =
        wide ? std::string(8, '\xff')
             : little_endian(packed.size(), 4) + little_endian(content.size(), 4);
    const std::string sizes64 = little_endian(content.size(), 8) + little_endian(packed.size(), 8);
    const std::string local_extra =
        wide ? little_endian(1, 2) + little_endian(16, 2) + sizes64 : "";
    const std::string extra = wide ? little_endian(1, 2) + little_endian(24, 2) + sizes64 +
                                         little_endian(archive.size(), 8)
                                   : "";
    directory += "PK\x01\x02" + little_endian(45, 2) + common + sizes +
                 little_endian(name.size(), 2) + little_endian(extra.size(), 2) +
                 std::string(10, '\0') +
                 (wide ? std::string(4, '\xff') : little_endian(archive.size(), 4)) + name + extra;
    archive += "PK\x03\x04" + common + sizes + little_endian(name.size(), 2) +
               little_endian(local_extra.size(), 2) + name + local_extra + packed;
  }
  const std::size_t start = archive.size();
  archive += directory;
  if (wide) {
    const std::size_t end64 = archive.size();
    archive += "PK\x06\x06" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
               std::string(8, '\0') + little_endian(files.size(), 8) +
               little_endian(files.size(), 8) + little_endian(directory.size(), 8) +
               little_endian(start, 8);
    archive += "PK\x06\x07" + std::string(4, '\0') + little_endian(end64, 8) + little_endian(1, 4);
  }
  const std::string count = wide ? std::string(2, '\xff') : little_endian(files.size(), 2);
  return archive + "PK\x05\x06" + std::string(4, '\0') + count + count +
         (wide ? std::string(8, '\xff')
               : little_endian(directory.size(), 4) + little_endian(start, 4)) +
         std::string(2, '\0');
}

/// An npz archive of arrays by their names.
inline std::string npz_file(const std::map<std::string, io::StoredTensor>& arrays,
                            NpzPacking packing = NpzPacking::stored) {
  std::map<std::string, std::string> files;
  for (const auto& [name, array] : arrays) files[name + ".npy"] = io::serialise_npy(array);
  return zip_file(files, packing);
}

}  // namespace asap::test
