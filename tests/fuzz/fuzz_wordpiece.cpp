// Fuzz target: vocab.txt of a WordPiece tokenizer, and the words of text. See README.md.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "text/wordpiece_tokenizer.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  asap::config::TextConfig config;
  config.lowercase = size % 2 == 0;
  config.strip_accents = size % 3 == 0;
  try {
    const auto tokenizer = asap::text::parse_wordpiece(config, bytes, "input");
    const std::string written = tokenizer->serialise();
    const auto again = asap::text::parse_wordpiece(config, written, "written");
    asap::base::check(again->vocabulary() == tokenizer->vocabulary(),
                      "a vocabulary keeps its pieces");
    asap::base::check(again->serialise() == written, "a vocabulary survives");
    const auto ids = tokenizer->encode(bytes);
    asap::base::check(ids == again->encode(bytes), "and gives the same ids");
    for (const std::int32_t id : ids)
      asap::base::check(id >= 0 && id < tokenizer->vocabulary(), "ids lie inside the vocabulary");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
