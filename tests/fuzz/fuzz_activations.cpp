// Fuzz target: captured queries and keys for asap-compile. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "compile/activations.h"

/// Damaged input may only be refused with a DataError, or a UsageError where it states another
/// number of heads than the user; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const asap::compile::Activations activations = asap::compile::activations_from(
        asap::io::parse_safetensors(bytes, "input"), "input", {.heads = size % 2 == 0 ? 1 : 0});
    for (std::size_t layer = 0; layer < activations.layers.size(); ++layer) {
      const asap::attention::AttentionBatch<float> batch =
          activations.batch(static_cast<int>(layer));
      asap::base::check(
          batch.queries.rows % batch.examples == 0 && batch.keys.rows % batch.examples == 0,
          "accepted activations must be as many for each example");
    }
  } catch (const asap::base::DataError&) {
  } catch (const asap::base::UsageError&) {
  }
  return 0;
}
