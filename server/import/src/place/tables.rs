//! Reads tables: as milestones, one in each row, or as a form with labels before or above their values.

use super::{CurrentPart, Placer};
use crate::found::{Cell, Paragraph, Piece};
use crate::names::{NamedPart, column};
use accord_document::model::attributes::Attributes;

impl Placer {
    /// Reads a table as milestones if at least two of its columns are named like parts of a milestone, else as a form.
    pub(super) fn table(&mut self, rows: Vec<Vec<Cell>>) {
        let names = rows.first().into_iter().flatten();
        let columns: Vec<_> = names.map(|name| column(&text_of(name))).collect();
        if columns.iter().flatten().count() >= 2 {
            return self.milestones(&columns, rows);
        }
        let mut group = String::new();
        for row in rows {
            let mut cells: Vec<Cell> = row.into_iter().collect();
            let label = cells.first().map(text_of).unwrap_or_default();
            if !label.trim().is_empty() {
                group = label;
            }
            cells.retain(|cell| !cell.is_empty());
            self.row(&group, cells);
        }
    }

    /// Reads a table with a milestone in each row.
    fn milestones(&mut self, columns: &[Option<&'static str>], rows: Vec<Vec<Cell>>) {
        let mut rows = rows.into_iter();
        let names: Vec<String> = rows.next().unwrap_or_default().iter().map(text_of).collect();
        for row in rows.filter(|row| row.iter().any(|cell| !cell.is_empty())) {
            self.open(NamedPart::Milestone, 6);
            for (at, cell) in row.into_iter().enumerate() {
                let key = columns.get(at).copied().flatten();
                self.current_part = CurrentPart::Milestone(key.unwrap_or("what"));
                for (index, mut paragraph) in cell.into_iter().enumerate() {
                    // Text from a column that is named like no part of a milestone is preceded by the column's name.
                    if let (None, 0, Some(name)) = (key, index, names.get(at)) {
                        let text = format!("{}: ", name.trim());
                        paragraph.pieces.insert(0, Piece { text, marks: Attributes::new() });
                    }
                    self.push(paragraph);
                }
            }
        }
        self.current_part = CurrentPart::Notes;
        self.section = None;
    }

    /// Reads a row of a table that is a form, with labels before or above their values. `group` is the last label in
    /// the table's first column.
    fn row(&mut self, group: &str, mut cells: Vec<Cell>) {
        if cells.len() < 2 {
            for paragraph in cells.into_iter().flatten() {
                match self.named_part(&paragraph.plain()) {
                    Some(part) => self.open(part, 6),
                    None => self.paragraph(paragraph),
                }
            }
            return;
        }
        let [first, second] = [text_of(&cells[0]), text_of(&cells[1])];
        let labels = [
            // In a row of three cells, the first two are the label: Supporting stakeholders | Civil society | their
            // names.
            (2, (cells.len() > 2).then(|| format!("{group} {second}"))),
            (1, Some(format!("{group} {first}")).filter(|_| group != first)),
            (1, Some(first.clone())),
        ];
        let part = labels.into_iter().find_map(|(count, label)| {
            let label = label?;
            let hint = || self.hint(&label).map(NamedPart::Field);
            let part = self.named_part(&label).or_else(hint)?;
            matches!(part, NamedPart::Field(_) | NamedPart::Date(_)).then_some((count, part))
        });
        let Some((count, part)) = part else {
            let text = if cells.len() == 2 && !second.contains('\n') {
                format!("{}: {}", first.trim(), second.trim())
            } else {
                cells.iter().map(text_of).collect::<Vec<_>>().join(" | ")
            };
            return self.notes.push(Paragraph::of(text.replace('\n', " ")));
        };
        if let NamedPart::Date(key) = part {
            let said = text_of(&cells[count]);
            match self.words.read_day(&said) {
                Some(day) => self.facts.push((key.into(), day)),
                None => self.notes.extend(cells.into_iter().flatten()),
            }
            return;
        }
        self.open(part, 6);
        cells.drain(..count);
        cells.into_iter().flatten().for_each(|paragraph| self.push(paragraph));
    }
}

/// Returns the text of a cell, with one line for each paragraph.
fn text_of(cell: &Cell) -> String {
    cell.iter().map(Paragraph::plain).collect::<Vec<_>>().join("\n")
}
