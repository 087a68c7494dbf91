#pragma once

#include <string>
#include <vector>

#include "config/config_fields.h"

namespace asap::config {

/// What parts the fields of a line; `automatic`: tabs when the file is named .tsv or .txt, else
/// commas.
enum class TextSeparator { automatic, comma, tab, semicolon };

/// An answer that the data may give themselves.
enum class Answer { automatic, yes, no };

/// How texts become token ids.
enum class TokenizerKind { words, bytes, sentencepiece };

/// Which tokens of a text longer than max_tokens are kept: the first, the last, or half of them
/// each.
enum class Truncation { head, tail, head_tail };

/// Token sequences; all but word_dropout only where they are read from files, see
/// data/texts/text_dataset.h.
struct TextConfig {
  std::string train_file, test_file;  ///< in data.path; empty: found by data.name
  TextSeparator separator = TextSeparator::automatic;
  Answer quotes = Answer::automatic;      ///< automatic: only where commas or semicolons separate
  Answer header = Answer::automatic;      ///< whether the first line names the columns
  std::string label_column = "0";         ///< name or index from 0
  std::vector<std::string> text_columns;  ///< the same; empty: all but the label's
  bool skip_empty = false;                ///< leave out texts without tokens, instead of an error
  TokenizerKind tokenizer = TokenizerKind::words;
  int vocabulary_size = 10'000;  ///< most token ids, the unknown one among them; not of bytes
  int min_count = 2;             ///< words that come less often are unknown
  bool lowercase = true;
  bool punctuation = true;  ///< whether marks between words are tokens
  int max_tokens = 128;
  Truncation truncation = Truncation::head;
  double word_dropout = 0;  ///< in training, tokens become the unknown one so often

  template <class Visitor>
  void visit(Visitor& v) {
    visit_files(v);
    visit_tokens(v);
    v.field("word_dropout", word_dropout,
            "probability that a token is replaced by the unknown one in training",
            between(0, 0.95));
  }

 private:
  template <class Visitor>
  void visit_files(Visitor& v) {
    v.field("train_file", train_file, "file in data.path; empty: found by data.name");
    v.field("test_file", test_file, "file in data.path; empty: found by data.name");
    v.choice("separator", separator,
             {{"auto", TextSeparator::automatic},
              {"comma", TextSeparator::comma},
              {"tab", TextSeparator::tab},
              {"semicolon", TextSeparator::semicolon}},
             "what parts columns; auto: tabs in files named .tsv or .txt, else commas");
    v.choice("quotes", quotes,
             {{"auto", Answer::automatic}, {"yes", Answer::yes}, {"no", Answer::no}},
             "whether fields may stand in quotes; auto: unless tabs separate them");
    v.choice("header", header,
             {{"auto", Answer::automatic}, {"yes", Answer::yes}, {"no", Answer::no}},
             "whether the first line names the columns; auto: if columns are given by name or its "
             "label is that of no other line");
    v.field("label_column", label_column, "column of the label: name, or index from 0");
    v.field("text_columns", text_columns,
            "columns of the text, joined by a blank: names or indices; empty: all but the label's");
    v.field("skip_empty", skip_empty, "leave out texts without tokens, which else are an error");
  }

  template <class Visitor>
  void visit_tokens(Visitor& v) {
    v.choice("tokenizer", tokenizer,
             {{"words", TokenizerKind::words},
              {"bytes", TokenizerKind::bytes},
              {"sentencepiece", TokenizerKind::sentencepiece}},
             "how texts become token ids");
    v.field("vocabulary_size", vocabulary_size,
            "words, sentencepiece: most token ids, the unknown one among them",
            between(2, 10'000'000));
    v.field("min_count", min_count, "words that the training part holds less often are unknown",
            between(1, 1'000'000'000));
    v.field("lowercase", lowercase, "whether Word and word are one token");
    v.field("punctuation", punctuation, "words: whether marks between words are tokens");
    v.field("max_tokens", max_tokens, "tokens of the longest text; longer ones are cut",
            between(1, 1'000'000));
    v.choice("truncation", truncation,
             {{"head", Truncation::head},
              {"tail", Truncation::tail},
              {"head_tail", Truncation::head_tail}},
             "which tokens of a longer text are kept: the first, the last, or half of them each");
  }
};

}  // namespace asap::config
