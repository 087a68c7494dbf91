// Fuzz target: bundles of trained networks. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "bundle/bundle_file.h"

/// Damaged input may only be refused with a DataError; everything else is a finding. The
/// fingerprint is made to fit: without that, damage would never get further than its comparison.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    asap::io::TensorFile file = asap::io::parse_safetensors(bytes, "input");
    file.metadata["content"] = asap::bundle::content_fingerprint_of(file);
    const asap::bundle::TrainedModel model =
        asap::bundle::parse_bundle(asap::io::serialise_safetensors(file), "input");
    asap::base::check(std::ssize(model.class_names) == model.encoder.config().classes,
                      "an accepted bundle must name every class");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
