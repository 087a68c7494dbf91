#include "text/sentencepiece_tokenizer.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "unit/text/small_texts.h"

using namespace asap::base;
using namespace asap::text;
using namespace asap::test;

TEST_CASE("sentencepiece learns the same pieces again, with the unknown one first") {
  if (!has_sentencepiece()) {
    MESSAGE("skipped: this build has no sentencepiece");
    return;
  }
  const Words texts = sentences();
  const auto first = learn_tokenizer(pieces_config(), texts_of(texts), "t");
  const auto second = learn_tokenizer(pieces_config(), texts_of(texts), "t");
  CHECK(first->vocabulary() > 20);
  CHECK(first->vocabulary() <= 60);
  CHECK(first->serialise() == second->serialise());
  const Ids ids = first->encode("the sailor describes a machine \U0001f495");
  CHECK(ids.back() == kUnknownToken);
  CHECK(ids.size() > 4);
  CHECK(first->encode("The Sailor") == first->encode("the sailor"));
  expect_error<DataError>([&] { learn_tokenizer(pieces_config(), texts_of({}), "t.csv"); },
                          {"t.csv", "sentencepiece"});
}
