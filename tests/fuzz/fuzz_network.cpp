// Fuzz target: networks of relu-fit, in JSON or safetensors. See README.md.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "region/network/network_file.h"

namespace {

asap::region::StoredNetwork parse(std::string_view bytes) {
  if (bytes.starts_with('{'))
    return asap::region::network_from(asap::io::parse_json(bytes, "input"), "input");
  return asap::region::network_from(asap::io::parse_safetensors(bytes, "input"));
}

}  // namespace

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const asap::region::StoredNetwork stored = parse({reinterpret_cast<const char*>(data), size});
    const asap::region::StoredNetwork json =
        asap::region::network_from(asap::region::network_json(stored), "again");
    const asap::region::StoredNetwork tensors =
        asap::region::network_from(asap::region::network_tensors(stored));
    asap::base::check(json.network.layers.size() == stored.network.layers.size() &&
                          tensors.network.layers.size() == stored.network.layers.size(),
                      "an accepted network must survive being written");
    asap::base::check(json.interval.has_value() == stored.interval.has_value() &&
                          tensors.interval.has_value() == stored.interval.has_value(),
                      "an accepted interval must survive being written");
    const std::int64_t inputs = stored.network.inputs();
    const std::vector<double> x(static_cast<std::size_t>(inputs), 0.25);
    double y[] = {0};
    stored.network.evaluate(asap::tensor::MatrixView<const double>(x.data(), 1, inputs), y);
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
