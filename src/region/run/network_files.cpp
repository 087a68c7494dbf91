#include "region/run/network_files.h"

#include "base/files.h"
#include "region/network/export_c.h"

namespace asap::region {

void write_network_files(const StoredNetwork& stored, const std::string& name,
                         const std::string& comment, const std::filesystem::path& folder) {
  io::write_safetensors(folder / "network.safetensors", network_tensors(stored));
  io::write_json(folder / "network.json", network_json(stored));
  base::write_file_atomically(folder / (name + ".h"), export_c_header(stored, name, comment));
}

}  // namespace asap::region
