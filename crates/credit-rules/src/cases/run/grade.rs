//! Grades and levels, held against what is expected.

use super::Found;
use crate::book::{Book, Number};
use crate::cases::{GradeCase, LadderPlace, LevelCase, LevelRelation};
use crate::grade::{Grade, graded};
use crate::level::{Standing, carried, standing};

pub(super) fn compare_grade(book: &Book, asked: &GradeCase, found: &mut Found) {
    let number = asked.number.and_then(|number| number.to_string().parse().ok());
    let Some(value) = asked.word.clone().or(number) else {
        return found.add("grade", "a grade", "none is asked about");
    };
    let grade = Grade { value, best: asked.best, pass: asked.pass };
    let expect = &asked.expect;
    match graded(book, &asked.map, &grade) {
        Ok((got, _)) => {
            if let Some(reason) = expect.refused {
                found.add("refused", reason.code(), &got);
            }
            found.asked("word", expect.word.as_ref(), &got);
            if let Some(number) = expect.number
                && got.as_str().parse::<Number>() != Ok(number)
            {
                found.add("number", number, &got);
            }
        }
        Err(reason) => {
            let wanted = expect.word.as_ref().map(ToString::to_string);
            let wanted = wanted.or_else(|| expect.number.map(|number| number.to_string()));
            if let Some(wanted) = wanted {
                found.add("grade", wanted, reason.code());
            }
            if let Some(expected) = expect.refused.filter(|expected| *expected != reason) {
                found.add("refused", expected.code(), reason.code());
            }
        }
    }
}

pub(super) fn compare_level(book: &Book, asked: &LevelCase, found: &mut Found) {
    let LevelCase { map, from, to, expect } = asked;
    if let Some(map) = map {
        let leads = book.level_maps.iter().filter(|own| own.id == *map).any(|own| {
            let back = own.both_ways && own.from == to.ladder && own.to == from.ladder;
            back || (own.from == from.ladder && own.to == to.ladder)
        });
        if !leads {
            found.add("map", map, "no map of that id between these ladders");
        }
    }
    let of = |place: &LadderPlace| (place.ladder.clone(), place.level);
    let ((from_ladder, from_level), (to_ladder, to_level)) = (of(from), of(to));
    let own = carried(book, &from_ladder, from_level, &to_ladder);
    let (got, by) = match standing(book, (&from_ladder, from_level), (&to_ladder, to_level)) {
        Standing::Equal => (LevelRelation::Equal, 0),
        Standing::Below(by) => (LevelRelation::Below, by),
        Standing::Unmapped => (LevelRelation::Unmapped, 0),
        Standing::Above => {
            // As many steps as the target is below what is held.
            let back = own.map(|own| standing(book, (&to_ladder, to_level), (&to_ladder, own)));
            (LevelRelation::Above, if let Some(Standing::Below(by)) = back { by } else { 0 })
        }
    };
    if expect.is != got {
        found.add("is", word(expect.is), word(got));
    }
    found.asked("by", expect.by.as_ref(), &by);
    if let Some(level) = expect.level
        && own != Some(level)
    {
        found.add("level", level, own.map_or_else(|| "none".to_owned(), |own| own.to_string()));
    }
}

fn word(relation: LevelRelation) -> &'static str {
    match relation {
        LevelRelation::Equal => "equal",
        LevelRelation::Above => "above",
        LevelRelation::Below => "below",
        LevelRelation::Unmapped => "unmapped",
    }
}
