// Fuzz target: labelled texts as JSON lines, with the keys found and with keys chosen. See
// README.md.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "data/texts/json_texts.h"
#include "io/json.h"
#include "io/utf8.h"

namespace {

using asap::data::LabelledTexts;

/// The texts as JSON lines again.
std::string written(const LabelledTexts& texts) {
  std::string lines;
  for (std::size_t i = 0; i < texts.texts.size(); ++i)
    lines +=
        asap::io::format_json_line({{"label", texts.labels[i]}, {"text", texts.texts[i]}}) + "\n";
  return lines;
}

void check_texts(const asap::config::TextConfig& config, std::string_view bytes) {
  LabelledTexts texts;
  try {
    texts = asap::data::parse_json_texts(config, bytes, "input");
  } catch (const asap::base::DataError&) {
    return;
  }
  const std::size_t count = texts.texts.size();
  asap::base::check(count > 0 && texts.labels.size() == count && texts.lines.size() == count,
                    "every text has a label and a line");
  for (std::size_t i = 0; i < count; ++i) {
    asap::base::check(i == 0 || texts.lines[i] > texts.lines[i - 1], "lines are in order");
    asap::base::check(!texts.labels[i].empty(), "no label is empty");
    asap::base::check(asap::io::find_invalid_utf8(texts.texts[i]) == std::string_view::npos,
                      "a text is UTF-8");
  }
  const LabelledTexts again = asap::data::parse_json_texts({}, written(texts), "written");
  asap::base::check(again.texts == texts.texts && again.labels == texts.labels,
                    "texts survive writing");
}

}  // namespace

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_texts({}, bytes);
  asap::config::TextConfig chosen;
  chosen.label_column = "a";
  chosen.text_columns = {"b", "c"};
  check_texts(chosen, bytes);
  return 0;
}
