//! Which views the page shows. The address says it in its query: `show=depth,loss`, `hide=settings`, or `embed=depth` for a frame.

/// A part of the page that the address can show and hide by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    You,
    Story,
    Presets,
    Models,
    Controls,
    Picture,
    Depth,
    Thinking,
    Reward,
    Progress,
    Loss,
    Reads,
    Sweep,
    Settings,
    Runs,
}

/// What is known of a view.
pub struct About {
    pub view: View,
    /// Its name in the address.
    pub name: &'static str,
    /// What a person sees in it.
    pub sentence: &'static str,
    /// Whether it has nothing to show without a run, so that a frame with it alone needs a button.
    pub needs_run: bool,
}

const fn about(view: View, name: &'static str, sentence: &'static str, needs_run: bool) -> About {
    About { view, name, sentence, needs_run }
}

/// All views, in the order of the page.
pub static VIEWS: [About; 15] = [
    about(View::You, "you", "A question for you", false),
    about(View::Story, "story", "What the study found", false),
    about(View::Presets, "presets", "Ready-made runs", false),
    about(View::Models, "models", "The networks", false),
    about(View::Controls, "controls", "Train, Pause, Stop and the link", false),
    about(View::Picture, "question", "The question and the answers", true),
    about(View::Depth, "depth", "Accuracy against depth", true),
    about(View::Thinking, "thinking", "Thinking time (ACT only)", true),
    about(View::Reward, "reward", "Learning from a reward (GRPO only)", true),
    about(View::Progress, "progress", "Accuracy over steps", true),
    about(View::Loss, "loss", "Loss", true),
    about(View::Reads, "reads", "Which cells an answer reads", true),
    about(View::Sweep, "sweep", "Sweeps", false),
    about(View::Settings, "settings", "Settings", false),
    about(View::Runs, "runs", "The list of runs", true),
];

impl View {
    /// What is known of it.
    pub fn about(self) -> &'static About {
        // The table has the order of the enum; a law checks it.
        &VIEWS[self as usize]
    }

    /// The view with this name.
    fn named(name: &str) -> Option<Self> {
        // The picture's card has the title “The question”; both words are understood.
        let name = if name == "picture" { "question" } else { name };
        VIEWS.iter().find(|about| about.name == name).map(|about| about.view)
    }
}

/// All names, separated by commas.
pub fn names() -> String {
    VIEWS.iter().map(|about| about.name).collect::<Vec<_>>().join(", ")
}

/// A set of views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set(u16);

impl Set {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self((1 << VIEWS.len()) - 1);

    pub fn has(self, view: View) -> bool {
        self.0 & (1 << view as u16) != 0
    }

    /// The set with this view in it or out of it.
    pub fn with(self, view: View, wanted: bool) -> Self {
        let bit = 1 << view as u16;
        if wanted { Self(self.0 | bit) } else { Self(self.0 & !bit) }
    }

    /// All other views.
    pub fn others(self) -> Self {
        Self(Self::ALL.0 & !self.0)
    }

    /// Its views, in the order of the page.
    pub fn views(self) -> impl Iterator<Item = &'static About> {
        VIEWS.iter().filter(move |about| self.has(about.view))
    }

    /// Reads names that are separated by commas. Mail programs write a comma as %2C.
    ///
    /// # Errors
    /// The first unknown name.
    fn read(text: &str) -> Result<Self, String> {
        let text = text.replace("%2C", ",").replace("%2c", ",");
        let names = text.split(',').filter(|name| !name.is_empty());
        names.into_iter().try_fold(Self::NONE, |set, name| match View::named(name) {
            Some(view) => Ok(set.with(view, true)),
            None => Err(name.to_string()),
        })
    }

    /// Its names as in the address.
    pub fn text(self) -> String {
        self.views().map(|about| about.name).collect::<Vec<_>>().join(",")
    }
}

/// What the address asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Views {
    pub shown: Set,
    /// Whether the address names what is shown. Then the foot is hidden too.
    pub chosen: bool,
    /// The only view, in a frame of another page.
    pub embed: Option<View>,
    /// What is wrong with the query. Then everything is shown.
    pub fault: Option<String>,
}

impl Default for Views {
    fn default() -> Self {
        Self { shown: Set::ALL, chosen: false, embed: None, fault: None }
    }
}

impl Views {
    /// Reads the values of `show`, `hide` and `embed` in the address's query.
    pub fn read(show: Option<&str>, hide: Option<&str>, embed: Option<&str>) -> Self {
        Self::asked(show, hide, embed).unwrap_or_else(|sentence| Self { fault: Some(sentence), ..Self::default() })
    }

    /// Whether a run can be started here soon, so that the engine is loaded at once.
    pub fn trains(&self) -> bool {
        self.embed.is_none_or(|view| view.about().needs_run || view == View::Controls || view == View::Sweep)
    }

    fn asked(show: Option<&str>, hide: Option<&str>, embed: Option<&str>) -> Result<Self, String> {
        let unknown = |key: &str, name: String| {
            format!("The address asks for {key}={name}, but there is no view “{name}”. The views are: {}.", names())
        };
        let set = |key: &str, text: &str| Set::read(text).map_err(|name| unknown(key, name));
        match (show, hide, embed) {
            (None, None, None) => Ok(Self::default()),
            (Some(text), None, None) => match set("show", text)? {
                Set::NONE => Err(format!("The address has show= without a view. The views are: {}.", names())),
                shown => Ok(Self { shown, chosen: true, ..Self::default() }),
            },
            (None, Some(text), None) => Ok(Self { shown: set("hide", text)?.others(), ..Self::default() }),
            (None, None, Some(name)) => {
                let view = View::named(name).ok_or_else(|| unknown("embed", name.into()))?;
                Ok(Self { shown: Set::NONE.with(view, true), chosen: true, embed: Some(view), ..Self::default() })
            }
            _ => Err("The address has two of show=, hide= and embed=: keep one of them.".into()),
        }
    }
}

/// A link to some views, as the person puts it together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    pub shown: Set,
    /// Whether the text is an `<iframe>` for another page.
    pub frame: bool,
    pub projector: bool,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { shown: Set::ALL, frame: false, projector: false }
    }
}

impl Sharing {
    /// The view that stands alone in its frame.
    pub fn alone(self) -> Option<&'static About> {
        let mut views = self.shown.views();
        let first = views.next().filter(|_| self.frame)?;
        views.next().is_none().then_some(first)
    }

    /// The address's query, without its `?`.
    pub fn query(self) -> String {
        let (shown, hidden) = (self.shown.text(), self.shown.others().text());
        let views = match self.alone() {
            Some(about) => format!("embed={}", about.name),
            None if shown.is_empty() || hidden.is_empty() => String::new(),
            None if hidden.len() < shown.len() => format!("hide={hidden}"),
            None => format!("show={shown}"),
        };
        let projector = if self.projector { "projector=" } else { "" };
        [views.as_str(), projector].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&")
    }

    /// What is copied: the address, or a frame for another page.
    pub fn text(self, address: &str) -> String {
        if !self.frame {
            return address.into();
        }
        let height = if self.alone().is_some() { 480 } else { 900 };
        let address = address.replace('&', "&amp;").replace('"', "%22");
        format!(
            "<iframe src=\"{address}\" title=\"Lookahead\" width=\"100%\" height=\"{height}\" style=\"border:0\" allow=\"clipboard-write\"></iframe>"
        )
    }

    /// What a person will see, in a sentence.
    pub fn sentence(self) -> String {
        if let Some(about) = self.alone() {
            return format!("The frame has only “{}”, and a link to the whole page.", about.sentence);
        }
        if self.shown == Set::NONE {
            return "Tick at least one view. Until then the link shows everything.".into();
        }
        let aside = |view: &About| self.projector && matches!(view.view, View::Settings | View::Runs);
        let seen: Vec<&str> = self.shown.views().filter(|view| !aside(view)).map(|view| view.sentence).collect();
        format!("Shows the top bar and: {}.", seen.join("; "))
    }
}
