#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "config/text_config.h"
#include "data/texts/labelled_texts.h"

namespace asap::data {

/// Labelled texts from JSON lines, plain or packed with gzip: one object a line; empty lines are
/// skipped. data.text.label_column and text_columns name keys. Without them the label is that of
/// `label` or, in objects of two keys one of which is `text`, of the other; the text is that of
/// `text` or, where there is none, those of all other keys that hold a text in the first line,
/// sorted. Labels may be texts, numbers, true and false. DataError names file and line: invalid
/// JSON, lines that hold something else, missing keys, values that are no text, empty labels.
LabelledTexts read_json_texts(const config::TextConfig& config, const std::filesystem::path& path);
LabelledTexts parse_json_texts(const config::TextConfig& config, std::string_view bytes,
                               const std::string& source);

}  // namespace asap::data
