#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/text_config.h"
#include "data/texts/labelled_texts.h"

namespace asap::data {

/// Labelled texts from the columns of a delimited file. `header` as in read_labelled_texts. Where
/// tabs separate fields and data.text.quotes is not set, fields in quotes raise a warning
/// (LabelledTexts::warning). DataError as parse_delimited, and for missing columns and empty
/// labels.
LabelledTexts read_delimited_texts(const config::TextConfig& config,
                                   const std::filesystem::path& path,
                                   const std::vector<std::string>* header);

}  // namespace asap::data
