#pragma once

#include <functional>
#include <string_view>

namespace asap::text {

/// How BERT's tokenizer treats letters.
struct WordPieceRules {
  bool lowercase = true;
  bool strip_accents = true;
};

/// Calls `take` with each word of valid UTF-8 text, in order; the view is valid during the call.
/// Words are separated by white space; punctuation marks and Chinese characters are words of their
/// own. Control and format characters are left out. With strip_accents the text is decomposed and
/// loses its combining marks; with lowercase it turns to lower case. These are the rules of the
/// package `tokenizers` (BertNormalizer and BertPreTokenizer).
void for_each_wordpiece_word(std::string_view text, const WordPieceRules& rules,
                             const std::function<void(std::string_view)>& take);

}  // namespace asap::text
