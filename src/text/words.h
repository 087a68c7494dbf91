#pragma once

#include <functional>
#include <string_view>

namespace asap::text {

/// How text is split into words.
struct WordRules {
  bool lowercase = true;
  bool punctuation = true;
};

/// Calls `take` with each word of valid UTF-8 text, in order; the view is valid during the call. A
/// word is a run of letters, combining marks, digits and underscores, with single apostrophes
/// between them ("don't"). Every other character, except white space and control characters, is a
/// word of its own, or is dropped without punctuation. Categories and lower case are those of
/// utf8proc's Unicode version.
void for_each_word(std::string_view text, const WordRules& rules,
                   const std::function<void(std::string_view)>& take);

}  // namespace asap::text
