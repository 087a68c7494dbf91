#pragma once

#include <functional>
#include <string_view>

namespace asap::text {

/// How text is cut into words.
struct WordRules {
  bool lowercase = true;
  bool punctuation = true;
};

/// Calls `take` with each word of valid UTF-8 text, in order; the view is valid during the call. A
/// word is a run of letters, combining marks, digits and underscores, in which an apostrophe may
/// stand between two of them ("don't"); every other character that is no blank and no control
/// character is a word of its own, or left out without punctuation. Categories and lower case are
/// those of utf8proc's Unicode version.
void for_each_word(std::string_view text, const WordRules& rules,
                   const std::function<void(std::string_view)>& take);

}  // namespace asap::text
