// Fuzz target: training configurations. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "config/train_config.h"

/// Damaged input may only be refused with a DataError or a UsageError; everything else is a
/// finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    asap::config::TrainConfig config;
    asap::config::from_json(asap::io::parse_json(bytes, "input"), config, "input");
    config.validate("input");
    asap::config::TrainConfig again;
    asap::config::from_json(asap::config::to_json(config), again, "again");
  } catch (const asap::base::DataError&) {
  } catch (const asap::base::UsageError&) {
  }
  return 0;
}
