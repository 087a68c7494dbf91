// Fuzz target: compiled operators. An input is operator.json, a zero byte, operator.safetensors.
// See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "compile/operator_artefact.h"
#include "io/json.h"

namespace {

/// The description with the fingerprint that fits the tensors: without that, damage would never get
/// further than the comparison of fingerprints.
std::string with_fingerprint(std::string_view description, std::string_view tensors) {
  asap::io::Json json = asap::io::parse_json(description, "input");
  if (json.is_object() && json.contains("tensors_fingerprint"))
    json["tensors_fingerprint"] = asap::base::content_fingerprint(tensors);
  return asap::io::format_json(json);
}

}  // namespace

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\0'), size);
  const std::string_view tensors = bytes.substr(std::min(end + 1, size));
  try {
    const std::string description = with_fingerprint(bytes.substr(0, end), tensors);
    const asap::compile::OperatorArtefact artefact =
        asap::compile::parse_operator(description, tensors, "input");
    asap::base::check(!artefact.heads.empty() && !artefact.heads[0].empty(),
                      "an accepted operator must have heads");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
