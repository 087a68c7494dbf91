#pragma once

#include <string>
#include <vector>

#include "config/config_fields.h"

namespace asap::config {

/// The separator of the fields of a line; `automatic`: tabs when the file is named .tsv or .txt,
/// commas otherwise.
enum class TextSeparator { automatic, comma, tab, semicolon };

/// An answer that can be derived from the data (`automatic`).
enum class Answer { automatic, yes, no };

/// How texts become token ids.
enum class TokenizerKind { words, bytes, sentencepiece, wordpiece };

/// The tokens that stay of a text longer than max_tokens: the first, the last, or half of each.
enum class Truncation { head, tail, head_tail };

/// Labelled texts from files, see data/texts/text_dataset.h. Only word_dropout applies to every
/// source of token sequences.
struct TextConfig {
  std::string train_file, test_file;  ///< in data.path; empty: search by data.name
  TextSeparator separator = TextSeparator::automatic;
  Answer quotes = Answer::automatic;      ///< automatic: yes unless tabs separate fields
  Answer header = Answer::automatic;      ///< whether the first line names the columns
  std::string label_column = "1";         ///< name, or number from 1; JSON lines: 1 is "label"
  std::vector<std::string> text_columns;  ///< names or numbers; empty: all but the label's
  bool pairs = false;                     ///< the text columns are two texts
  bool skip_empty = false;                ///< drop texts without tokens instead of failing
  TokenizerKind tokenizer = TokenizerKind::words;
  int vocabulary_size = 10'000;  ///< most token ids, including the unknown one; bytes ignore it
  int min_count = 2;             ///< rarer words become the unknown token
  bool lowercase = true;
  bool strip_accents = true;  ///< of wordpiece
  bool punctuation = true;    ///< whether punctuation marks are tokens
  int max_tokens = 128;
  Truncation truncation = Truncation::head;
  double word_dropout = 0;  ///< probability that a token becomes the unknown one in training

  template <class Visitor>
  void visit(Visitor& v) {
    visit_files(v);
    visit_tokens(v);
    v.field("word_dropout", word_dropout,
            "probability that a token is replaced by the unknown token in training",
            between(0, 0.95));
  }

 private:
  template <class Visitor>
  void visit_files(Visitor& v) {
    v.field("train_file", train_file, "file in data.path; empty: search by data.name");
    v.field("test_file", test_file, "file in data.path; empty: search by data.name");
    v.choice("separator", separator,
             {{"auto", TextSeparator::automatic},
              {"comma", TextSeparator::comma},
              {"tab", TextSeparator::tab},
              {"semicolon", TextSeparator::semicolon}},
             "separator of the columns; auto: tabs in files named .tsv or .txt, commas otherwise");
    v.choice("quotes", quotes,
             {{"auto", Answer::automatic}, {"yes", Answer::yes}, {"no", Answer::no}},
             "whether fields may be quoted; auto: yes unless tabs separate them");
    v.choice(
        "header", header, {{"auto", Answer::automatic}, {"yes", Answer::yes}, {"no", Answer::no}},
        "whether the first line names the columns; auto: yes if columns are given by name, or if "
        "its label occurs in no other line and it looks like names");
    v.field("label_column", label_column,
            "column of the label: name, or number from 1; JSON lines: the key, and 1 means label");
    v.field("text_columns", text_columns,
            "columns of the text, names or numbers, joined by a space; empty: all but the label's; "
            "JSON lines: keys, and empty means text, or all other texts");
    v.field("pairs", pairs,
            "the text columns are two texts, a pair with one label: the separator of a pretrained "
            "tokenizer stands between them, and the longer one is cut first");
    v.field("skip_empty", skip_empty, "drop texts without tokens; false: they are an error");
  }

  template <class Visitor>
  void visit_tokens(Visitor& v) {
    v.choice(
        "tokenizer", tokenizer,
        {{"words", TokenizerKind::words},
         {"bytes", TokenizerKind::bytes},
         {"sentencepiece", TokenizerKind::sentencepiece},
         {"wordpiece", TokenizerKind::wordpiece}},
        "how texts become token ids: words, bytes, learned pieces of words, or the pieces of a "
        "pretrained model (train.init_from)");
    v.field("vocabulary_size", vocabulary_size,
            "words, sentencepiece: most token ids, including the unknown one",
            between(2, 10'000'000));
    v.field("min_count", min_count,
            "words that occur less often in the training part become the unknown token",
            between(1, 1'000'000'000));
    v.field("lowercase", lowercase,
            "turn letters to lower case, so that Word and word are one token");
    v.field("strip_accents", strip_accents, "wordpiece: remove the accents of letters");
    v.field("punctuation", punctuation, "words: whether punctuation marks are tokens");
    v.field("max_tokens", max_tokens, "longest text, in tokens; longer texts are cut",
            between(1, 1'000'000));
    v.choice("truncation", truncation,
             {{"head", Truncation::head},
              {"tail", Truncation::tail},
              {"head_tail", Truncation::head_tail}},
             "tokens kept of a longer text: the first, the last, or half of each");
  }
};

}  // namespace asap::config
