// Fuzz target: the words a training run keeps, and words of text. See README.md.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "io/utf8.h"
#include "text/tokenizer.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto tokenizer = asap::text::parse_tokenizer({}, bytes, "input");
    const std::string written = tokenizer->serialise();
    const auto again = asap::text::parse_tokenizer({}, written, "written");
    asap::base::check(again->vocabulary() == tokenizer->vocabulary(),
                      "a vocabulary keeps its words");
    asap::base::check(again->serialise() == written, "a vocabulary survives");
    for (const std::int32_t id : tokenizer->encode(bytes))
      asap::base::check(id >= 0 && id < tokenizer->vocabulary(), "ids lie inside the vocabulary");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
